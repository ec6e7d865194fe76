"""Nouns for things, by class; within a class the more frequent come first.

One entry a line: Korean | English | counter | kind. The kind is "count" unless named: "mass" (no article),
"plural" (plural in form: pants), "the" (always definite), "bare" (neither article nor plural: soccer).
The counter is empty where nobody counts the thing.
A homonym is written Korean/sense and is listed in `homonyms.py`, never here.
"""

THINGS = """
= dish
밥 | rice | 그릇 | mass
빵 | bread | 조각 | mass
김치 | kimchi | 접시 | mass
고기 | meat | 조각 | mass
라면 | ramen | 그릇 | mass
생선 | fish | | mass
불고기 | bulgogi | 접시 | mass
비빔밥 | bibimbap | 그릇 | mass
국수 | noodles | 그릇 | mass
피자 | pizza | 조각 | mass
치킨 | fried chicken | 조각 | mass
김밥 | gimbap | | mass
샌드위치 | sandwich | 개
햄버거 | hamburger | 개
만두 | dumpling | 개
떡볶이 | tteokbokki | 접시 | mass
국 | soup | 그릇 | mass
샐러드 | salad | 접시 | mass
두부 | tofu | | mass
= sweet
케이크 | cake | 조각 | mass
초콜릿 | chocolate | 조각 | mass
아이스크림 | ice cream | | mass
사탕 | candy | | mass
쿠키 | cookie | 개
떡 | rice cake | 개
= basic
계란 | egg | 개
치즈 | cheese | 조각 | mass
소금 | salt | | mass
설탕 | sugar | | mass
= fruit
사과 | apple | 개
바나나 | banana | 개
딸기 | strawberry | 개
수박 | watermelon | 통
오렌지 | orange | 개
복숭아 | peach | 개
포도 | grapes | | mass
귤 | tangerine | 개
레몬 | lemon | 개
= vegetable
감자 | potato | 개
토마토 | tomato | 개
고구마 | sweet potato | 개
당근 | carrot | 개
양파 | onion | 개
오이 | cucumber | 개
배추 | cabbage | 포기
= drink
커피 | coffee | 잔 | mass
물 | water | 잔 | mass
우유 | milk | 잔 | mass
주스 | juice | 잔 | mass
맥주 | beer | 병 | mass
녹차 | green tea | 잔 | mass
와인 | wine | 병 | mass
콜라 | cola | 병 | mass
코코아 | cocoa | 잔 | mass
= clothes
옷 | clothes | 벌 | plural
셔츠 | shirt | 벌
바지 | pants | 벌 | plural
치마 | skirt | 벌
코트 | coat | 벌
스웨터 | sweater | 벌
한복 | hanbok | 벌
양복 | suit | 벌
재킷 | jacket | 벌
교복 | school uniform | 벌
= footwear
신발 | shoes | 켤레 | plural
양말 | socks | 켤레 | plural
운동화 | sneakers | 켤레 | plural
부츠 | boots | 켤레 | plural
슬리퍼 | slippers | 켤레 | plural
= headwear
모자 | hat | 개
안경 | glasses | | plural
마스크 | mask | 장
= handwear
장갑 | gloves | 켤레 | plural
반지 | ring | 개
= book
책 | book | 권
소설 | novel | 권
잡지 | magazine | 권
만화책 | comic book | 권
사전 | dictionary | 권
= text
신문 | newspaper | 부
기사 | article | 개
시 | poem | 편
= writing
편지 | letter | 통
이메일 | email | 통
보고서 | report | 부
일기 | diary | |
= show
영화 | movie | 편
드라마 | drama | 편
텔레비전 | TV | | mass
뉴스 | news | | mass
경기 | game | |
연극 | play | 편
= sound
음악 | music | | mass
노래 | song | 곡
라디오 | radio | | the
= picture
사진 | photo | 장
그림 | picture | 장
지도 | map | 장
= gadget
휴대폰 | cell phone | 대
컴퓨터 | computer | 대
카메라 | camera | 대
노트북 | laptop | 대
냉장고 | refrigerator | 대
세탁기 | washing machine | 대
에어컨 | air conditioner | 대
선풍기 | fan | 대
프린터 | printer | 대
= furniture
의자 | chair | 개
책상 | desk | 개
침대 | bed | 개
소파 | sofa | 개
식탁 | table | 개
거울 | mirror | 개
옷장 | closet | 개
= goods
가방 | bag | 개
우산 | umbrella | 개
지갑 | wallet | 개
시계 | watch | 개
열쇠 | key | 개
선물 | present | 개
꽃 | flower | 송이
상자 | box | 개
인형 | doll | 개
장난감 | toy | 개
공 | ball | 개
기념품 | souvenir | 개
담요 | blanket | 장
텐트 | tent | 개
= stationery
연필 | pencil | 개
공책 | notebook | 권
볼펜 | ballpoint pen | 개
가위 | scissors | | plural
종이 | paper | 장 | mass
우표 | stamp | 장
= kitchenware
컵 | cup | 개
접시 | plate | 개
숟가락 | spoon | 개
젓가락 | chopsticks | | plural
냄비 | pot | 개
칼 | knife | 개
= bathroom
수건 | towel | 장
비누 | soap | | mass
칫솔 | toothbrush | 개
= personal
돈 | money | | mass
여권 | passport | 개
표 | ticket | 장
약 | medicine | | mass
짐 | luggage | | mass
= waste
쓰레기 | trash | | mass
= opening
창문 | window | | the
문 | door | | the
서랍 | drawer | | the
뚜껑 | lid | | the
= switch
불 | light | | the
= public
버스 | bus | 대
기차 | train | 대
택시 | taxi | 대
지하철 | subway | | the
비행기 | plane | 대
= ridden
자전거 | bicycle | 대
오토바이 | motorcycle | 대
스쿠터 | scooter | 대
= driven
트럭 | truck | 대
= ballgame
축구 | soccer | | bare
야구 | baseball | | bare
농구 | basketball | | bare
배구 | volleyball | | bare
= racket
테니스 | tennis | | bare
탁구 | table tennis | | bare
배드민턴 | badminton | | bare
골프 | golf | | bare
= keyboard
피아노 | piano | | the
기타 | guitar | | the
드럼 | drums | | the
= bowed
바이올린 | violin | | the
첼로 | cello | | the
= language
한국어 | Korean | | mass
영어 | English | | mass
일본어 | Japanese | | mass
중국어 | Chinese | | mass
프랑스어 | French | | mass
스페인어 | Spanish | | mass
독일어 | German | | mass
= subject
수학 | math | | mass
역사 | history | | mass
과학 | science | | mass
미술 | art | | mass
경제학 | economics | | mass
철학 | philosophy | | mass
= task
숙제 | homework | | mass
시험 | exam | |
회의 | meeting | |
수업 | class | |
발표 | presentation | |
파티 | party | |
여행 | trip | |
결혼식 | wedding | |
= chore
설거지 | dishes | | the
빨래 | laundry | | the
= knowledge
이름 | name | |
주소 | address | |
전화번호 | phone number | |
비밀번호 | password | |
이야기 | story | |
비밀 | secret | |
규칙 | rule | |
약속 | promise | |
= exercise
문제 | problem | |
퀴즈 | quiz | |
퍼즐 | puzzle | |
= file
파일 | file | |
문서 | document | |
= booking
방 | room | | 
좌석 | seat | |
= plant
나무 | tree | 그루
장미 | rose | 송이
풀 | grass | | mass
= building
집 | house | 채
건물 | building | 채
"""
